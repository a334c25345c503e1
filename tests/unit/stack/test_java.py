import pytest

from stack.java import major_of


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('openjdk version "25.0.2" 2026-01-20', 25),
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("command not found", 0),
    ],
)
def test_the_major_version_is_read_from_what_java_prints(printed: str, major: int) -> None:
    assert major_of(printed) == major
