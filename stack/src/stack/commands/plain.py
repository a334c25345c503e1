"""Words from outside on a terminal: shown, never obeyed."""

from rich.text import Text


def plain(words: object, style: str = "") -> Text:
    """Return words without markup and without control, format or other characters that do not print.

    A name such as `[red]` stays as it is; an escape sequence in a patient's answer moves nobody's cursor.
    """
    shown = "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in str(words))
    return Text(shown, style=style)
