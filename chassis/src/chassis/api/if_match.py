"""If-Match: a change that was decided on one version must not replace another."""

from chassis.api.app import Problem


def version_of(if_match: str | None) -> int | None:
    """Return the version in an If-Match header; None: whatever is held may be replaced."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Problem(422, "BAD_VERSION", 'If-Match holds a version, such as "3".')
    return int(text)


def check_version(wanted: int | None, held: int) -> None:
    """Refuse a change that was decided on another version than the one held; 0: nothing is held."""
    if wanted is not None and wanted != held:
        raise Problem(412, "VERSION_CHANGED", f"Version {held} is in force, not {wanted}: read it and decide again.")
