"""How every command ends: an error the user can fix is printed without a traceback."""

import sys
from collections.abc import Callable

from noisy_student.errors import InputError

INPUT_ERROR_STATUS = 2


def run(main: Callable[[], None]) -> None:
    """Call `main`; on `InputError` print it to stderr and exit with status 2."""
    try:
        main()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(INPUT_ERROR_STATUS)
