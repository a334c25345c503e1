"""A number of terms, once given, means these terms and no others."""

from reminders.timers.terms import TermsTable, key_of, number_of


def test_equal_terms_have_one_number() -> None:
    table = TermsTable()

    assert table.number(b"a") == table.number(b"a") != table.number(b"b")


def test_a_number_is_never_given_twice_though_others_left_the_changelog() -> None:
    table = TermsTable()
    numbers = [table.number(content) for content in (b"a", b"b", b"c")]
    table.replay(numbers[0], None)

    fresh = table.number(b"d")

    assert fresh not in numbers
    assert [table.content(number) for number in (*numbers[1:], fresh)] == [b"b", b"c", b"d"]


def test_replayed_numbers_with_holes_are_not_given_again() -> None:
    table = TermsTable()
    table.replay(7, b"seven")
    table.replay(3, b"three")

    assert table.number(b"new") not in {3, 7}
    assert (table.number(b"seven"), table.number(b"three")) == (7, 3)


def test_terms_are_written_with_the_rows_that_name_them_and_once() -> None:
    table = TermsTable()
    number = table.number(b"a")
    assert table.unwritten == {number: b"a"}

    table.written()
    assert (table.number(b"a"), table.unwritten) == (number, {})


def test_a_key_names_its_number() -> None:
    assert number_of(key_of(5)) == 5
    assert number_of(b"terms/") is None
    assert number_of(b"other!" + bytes(4)) is None
