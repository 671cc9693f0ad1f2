"""The one error that a user is meant to read, and what it quotes of a library's."""


class InputError(Exception):
    """Something the user gave is wrong: says what was wanted, what came, and what to do."""

    def __init__(self, wanted: str, got: str, remedy: str) -> None:
        super().__init__(f"wanted: {wanted}\n   got: {got}\nremedy: {remedy}")
        self.wanted, self.got, self.remedy = wanted, got, remedy

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str]]:
        """Worker processes send errors back pickled."""
        return type(self), (self.wanted, self.got, self.remedy)


def last_line(error: object) -> str:
    """The end of an error's message, where libraries say what is wrong; its kind, if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
