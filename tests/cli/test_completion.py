"""What TAB gives, in the shells themselves as far as they are here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..client.stub import Stub, http
from ..served import Served, jobtail

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
BASH = r"""
eval "$(jobtail completion bash)"
COMP_WORDS=(jobtail "$@")
COMP_CWORD=$#
_jobtail_completion jobtail
printf '%s\n' "${COMPREPLY[@]}"
"""
ZSH = r"""
autoload -Uz compinit && compinit -u -d "$TMPDUMP"
eval "$(jobtail completion zsh)"
print -r -- ${_comps[jobtail]}
compadd() { print -rl -- ${(P)@[-1]} }
_describe() { print -rl -- ${(P)3} }
_path_files() { print -r -- files }
words=(jobtail "$@")
CURRENT=$(($# + 1))
_jobtail_completion
"""


def shell(name: str, script: str, *words: str, url: str, folder: Path) -> list[str]:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not here")
    env = os.environ | {"PATH": PATH, "JOBTAIL_URL": url, "TMPDUMP": str(folder / "dump")}
    options = ["-f"] if name == "zsh" else ["--norc"]
    done = subprocess.run(
        [program, *options, "-c", script, name, *words], env=env, cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_is_given_a_script(name: str) -> None:
    assert "_JOBTAIL_COMPLETE" in jobtail("completion", name).stdout


def test_bash_completes_commands_jobs_options_and_files(service: Served, failed: str, tmp_path: Path) -> None:
    (tmp_path / "file of mine").touch()

    def found(*words: str) -> list[str]:
        return shell("bash", BASH, *words, url=service.url, folder=tmp_path)

    assert found("sta") == ["status"]
    assert failed in found("status", failed[:4]) and found("tail", "@l") == ["@last"]
    assert found("tail", "@last", failed[:-1]) == [failed]
    assert "--grep" in found("logs", "--g")
    # Files are completed by bash itself, since no word of ours is given (compopt -o default).
    for words in (("run", "--", "./fi"), ("run", "fi"), ("run", "--name", "x", "--", "cat", "fi")):
        assert "--name" not in found(*words)


def test_zsh_completes_commands_jobs_and_files(service: Served, failed: str, tmp_path: Path) -> None:
    def found(*words: str) -> list[str]:
        return shell("zsh", ZSH, *words, url=service.url, folder=tmp_path)

    assert found("stat") == ["_jobtail_completion", "status:Show how a job stands."]
    assert found("status", failed) == ["_jobtail_completion", f"{failed}:Failed three lines"]
    assert found("run", "--", "cat", "fi") == ["_jobtail_completion", "files"]


def test_files_are_completed_after_run() -> None:
    for words in ("jobtail run -- ./f", "jobtail run cat ./f", "jobtail run --name x -- cat ./f"):
        env = os.environ | {"_JOBTAIL_COMPLETE": "bash_complete", "COMP_WORDS": words}
        env["COMP_CWORD"] = str(len(words.split()) - 1)
        assert jobtail(env=env).stdout == "file,./f\n", words


def test_what_is_no_id_never_gets_into_a_command_line(tmp_path: Path) -> None:
    odd = ["a;touch${IFS}x", "a b", "$(touch x)", "`x`", "a\nb", "-a", "\x1b[2J", "a'", "", None, 7, ["a"], "good-1"]
    rows = json.dumps({"jobs": [{"id": name, "job_name": "n;`x`\x1b]0;t\x07\nplain,evil"} for name in odd]})
    with Stub(lambda asked: http(200, rows.encode())) as stub:
        assert shell("bash", BASH, "status", "", url=stub.url, folder=tmp_path) == ["@last", "good-1"]
        assert shell("bash", BASH, "status", "a", url=stub.url, folder=tmp_path) == [""]
        if shutil.which("zsh"):
            shown = "\n".join(shell("zsh", ZSH, "status", "g", url=stub.url, folder=tmp_path))
            assert "good-1" in shown and "\x1b" not in shown and "\x07" not in shown
    for answer in (b"[]", b"{", b'{"jobs": 7}', b"null"):
        with Stub(lambda asked, a=answer: http(200, a)) as stub:
            assert shell("bash", BASH, "status", "", url=stub.url, folder=tmp_path) == [""]
    assert not (tmp_path / "x").exists()
