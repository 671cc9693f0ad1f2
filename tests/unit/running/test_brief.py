import json
import logging
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.running.brief import Brief, on_terminal, shortened

LONG = json.dumps({"organs": [{"label": number, "name": "liver"} for number in range(20)]})


@given(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=30))
def test_whatever_json_a_command_is_given_its_other_words_stay(name):
    value = shlex.quote(json.dumps([name, LONG], ensure_ascii=False))
    assert shortened(f"a.py --organs {value} --output 'b c' > log") == "a.py --organs '[…]' --output 'b c' > log"


@pytest.mark.parametrize("text", ["a.py --spacings '[[1, 2, 3]]'", "echo 'it is long " + 100 * "and long " + "'", "a"])
def test_what_is_short_or_no_json_stays(text):
    assert shortened(text) == text


def test_the_terminal_is_brief_and_the_log_file_whole():
    logger, handlers = logging.Logger("snakemake"), {}
    for name in ("DefaultStreamHandler", "DefaultLogFileHandler"):
        handlers[name] = logging.Handler()
        handlers[name].name = name
        handlers[name].setFormatter(logging.Formatter())
        logger.addHandler(handlers[name])
    on_terminal(logger)
    record = logging.makeLogRecord({"msg": f"a.py '{LONG}'"})
    assert handlers["DefaultStreamHandler"].format(record) == "a.py '{…}'"
    assert handlers["DefaultLogFileHandler"].format(record) == f"a.py '{LONG}'"
    assert isinstance(handlers["DefaultStreamHandler"].formatter, Brief)
