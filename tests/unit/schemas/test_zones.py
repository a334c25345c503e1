"""A zone's name may be any text: only those of the IANA list are zones."""

import pytest

from schemas.wire import Undecodable, check_zone
from schemas.zones import UnknownZone, zone_of


@pytest.mark.parametrize(
    "name",
    [
        *("Europe", "America/Argentina", "x" * 300, "", "Europe/London\0", "../UTC", "/etc/passwd", "\ud800"),
        *("zone.tab", "localtime", "LocalTime", "posixrules", "Factory", "posix/Europe/London", "right/UTC"),
    ],
)
def test_what_is_no_zone_says_so_whatever_else_bears_its_name(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone_of(name)
    with pytest.raises(Undecodable) as refused:
        check_zone(name)
    assert refused.value.code == "INVALID"


@pytest.mark.parametrize("name", ["Europe/London", "EUROPE/LONDON", "europe/london"])
def test_a_zone_of_the_list_is_found_in_any_case_under_its_spelling_there(name: str) -> None:
    assert zone_of(name).key == "Europe/London"
