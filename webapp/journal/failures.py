"""Lines of known tools that report a failure or a warning without a level word: their formats, as expressions.

Each expression is looked for in the beginning of a line, colours taken out. They follow what the tools print; the
table `tests/journal/levels.txt` holds a real line for each.
"""

from __future__ import annotations

# Python, JavaScript, Java and .NET name their exceptions alike.
_EXCEPTION = r"(?:[A-Za-z_$][\w$]*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Failure|Panic|Timeout|OutOfMemory)"
# What shells and the C library say after `program: what:`, at the end of a line or with one more word.
_SYSTEM = (
    r"command not found|not found|No such file or directory|Permission denied|Is a directory|Not a directory"
    r"|Connection (?:refused|timed out|reset by peer)|No space left on device|Operation not permitted|Broken pipe"
    r"|Address already in use|No route to host|Host is unreachable|Name or service not known|Invalid argument"
    r"|Temporary failure in name resolution|Input/output error|Read-only file system|Too many open files"
    r"|Cannot allocate memory|Resource temporarily unavailable|Device or resource busy|[Ee]xec format error"
    r"|Argument list too long|unbound variable|Disk quota exceeded|Stale file handle|division by zero"
)
# What a shell says of a command that a signal ended.
_SIGNALS = (
    r"Segmentation fault|Killed|Bus error|Aborted|Terminated|Illegal instruction|Floating point exception"
    r"|Trace/(?:breakpoint )?trap"
)
_VERBS = (
    r"access|allocate|bind|change|clone|connect|copy|create|decode|delete|download|execute|fetch|find|import"
    r"|install|load|locate|lock|move|open|parse|pull|push|reach|read|remove|resolve|run|send|start|stat"
    r"|update|upload|use|write"
)
_FAILING = (
    rf"(?:Failed to|Unable to|Cannot|Can't|Could not|Couldn't) (?:initialize|{_VERBS})\b"
    rf"|.{{0,120}}[:\]] (?:[Ff]ailed to|[Uu]nable to|[Cc]an(?:no|')t|[Cc]ould(?: no|n')t) (?:{_VERBS})\b"
)
# `05:40:01 WRN`, `[05:40:01 INF]`, `5:40AM ERR`: Serilog, zerolog and others name levels by three letters.
_CLOCK = (
    r"\[?(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:[AP]M|Z| ?[+-][0-9]{2}:?[0-9]{2})? \[?"
)
_DAY = r"(?:[0-9]{4}-?[0-9]{2}-?[0-9]{2} |[0-9]{6} )"


def _lettered(letters: str, words: str) -> str:
    """One level, as it is named by a letter or by three: TensorFlow, PyTorch, Jupyter and Tornado, Android, zerolog."""
    return (
        rf"[0-9-]{{10}} [0-9:.]{{8,15}}: [{letters}] \S"
        rf"|(?:\[rank[0-9]+\]:)?\[[{letters}][01][0-9][0-3][0-9] [0-9]{{2}}:"
        rf"|\[[{letters}] {_DAY}?[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}|[{letters}]/[\w.:-]+ ?\( *[0-9]+\): "
        rf"|[0-9-]{{5,10}} [0-9:.]{{8,15}} +[0-9]+ +[0-9]+ [{letters}] \S|{_CLOCK}(?:{words})\b"
    )


def _prioritized(least: int, most: int) -> str:
    """`<3>` as systemd and the kernel write it, and `<27>` of syslog, whose lowest three bits are the severity."""
    return r"<(?:{})>[^ \t\n<>]".format("|".join(str(n) for n in range(192) if least <= n % 8 <= most))


ERRORS = (
    # Exceptions, where they stand at the beginning of a line.
    rf"\s{{0,8}}(?:Uncaught |Unhandled exception\. |Caused by: |Suppressed: )?{_EXCEPTION}(?::\s|:?$)",
    r"Exception in thread ",
    r"(?:During handling of the above exception|The above exception was the direct cause)",
    r"\s{0,8}(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\)",
    r"(?:terminate called after throwing|thread '[^'\n]*' (?:\([0-9]+\) )?panicked at |goroutine [0-9]+ \[running)",
    r"\*\* \([A-Z][\w.]*Error\)|.*:[0-9]+:in .*\([A-Z]\w*(?:Error|Exception)\)",
    r"(?:PHP )?(?:Fatal|Parse) error: |Execution halted|.* died at ",
    # What ends a process.
    rf"(?:.{{0,120}}: )?(?:{_SYSTEM})(?:\.|: \S{{1,80}}| \(.{{0,80}}\)\.?)?$",
    rf"(?:.{{0,120}}: )?(?:line [0-9]+: .{{0,60}})?(?:{_SIGNALS})(?:\s*\(core dumped\))?(?:\s\s+\S.{{0,80}})?$",
    r".*\(core dumped\)|.*Out of memory: Killed process|.*oom-kill|AddressSanitizer|=+[0-9]+=+ERROR",
    r".*(?:CUDA out of memory|CUDA error: |CUDNN_STATUS_|NCCL error|OutOfMemoryError)|.*\bAssertion .* failed\.?$",
    r".*\bexited with (?:exit )?(?:status|code):? [1-9]|exit status [1-9][0-9]*$|.*Main process exited, .*status=[1-9]",
    r".*(?:-fs error|I/O error\b|Hardware Error|Kernel panic|kernel BUG at)",
    # What programs say when they could not do what they were asked to.
    _FAILING,
    r".*\bFAILED(?:$|\s{2,}| [^ \n-]|[^ \w\n])|.*: Failed with result '|.*\bBUILD FAILURE|FAILURES!$|ERRORS!$",
    r"[\w./-]+(?:\[[0-9]+\])?: (?:[\w-]+ )?error: |(?:.*\s)?fatal: ",
    r"[Ee]rror (?:during|while) |An error (?:has )?occurred",
    r"[\w.-]+: (?:[0-9]+|line [0-9]+)?:? ?[Ss]yntax error\b|.*: line [0-9]+: syntax error\b|\(error\) [A-Z]+ ",
    r"curl: \([0-9]+\) |rsync error: |sed: -e expression|tar: Error |.*Permission denied \(publickey",
    r"\s?! \[(?:remote )?rejected\]|CONFLICT \(|Automatic merge failed",
    # Tests.
    r"E   \s*\S|FAILED [\w./-]+::|FAILED \(|ERROR [\w./-]+(?:::| - )|[\w./-]+:[0-9]+: " + _EXCEPTION,
    r"=+ .*\b[1-9][0-9]* (?:failed|errors?)\b.* =+$|\s{0,4}[1-9][0-9]* failed\b|.*\| [1-9][0-9]* failed\)",
    r"\s*(?:--- )?FAIL:?\s+[^ \t\n0]|# FAIL: +[1-9]|(?:.*\s)?FAIL$|\s*● .* › |\s*[✕✗✘×] \S|\s{1,8}[1-9][0-9]* failing$",
    r"\s*(?:Tests?(?: Suites| Files)?:?|Failed!\s+- Failed:)\s+[1-9][0-9]* ?(?:failed|,)|not ok [0-9]+",
    r"\s{1,4}[0-9]+\) (?:test |\[[\w -]+\] › )|\s{1,4}Failed \S.* \[[0-9<].{0,20}\]$|rspec \./\S+:[0-9]+ # ",
    r"[0-9]+ (?:tests?|examples?|runs|doctests?)\b.*, [1-9][0-9]* (?:failures?|errors?)\b|\s*Failure/Error: ",
    r"There (?:was|were) [1-9][0-9]* (?:failure|error)s?:|Tests: [0-9]+, .*(?:Failures|Errors): [1-9]",
    # Builds.
    r"g?make(?:\[[0-9]+\])?: \*\*\* |ninja: build stopped|CMake Error|-- Configuring incomplete, errors",
    r"FAILURE: Build failed|(?:\S )?Build (?:FAILED\.|failed in )|.*: undefined reference to |.*ld returned [1-9]",
    r"npm (?:ERR!|error)(?: |$)|ERR_PNPM_|error Command failed|\s{0,8}(?:✖|✘|×) ?[1-9][0-9]* problems? \([1-9]",
    r".*\bCommand failed with (?:exit )?code [1-9]|Execution failed for task |(?:== )?Compilation (?:error|failed)\b",
    r".*(?:\([0-9]+,[0-9]+\)|:[0-9]+:[0-9]+)(?::| -)\s+(?:fatal )?error\b|(?:\S+ : )?(?:fatal )?error [A-Z]+[0-9]+: ",
    r"\s+[0-9]+:[0-9]+\s+error\s{1,4}\S|(?:vet: )?\S+\.go:[0-9]+:[0-9]+: \S|go: errors |e: \S+\.kts?:[0-9]+:",
    r"\S+\.\w+:[0-9]+:[0-9]+: [A-VX-Z][A-Z]{0,3}[0-9]{3,4}\b|[A-Z]{1,4}[0-9]{3,4} \[\*\] ",
    r"\s{0,8}[1-9][0-9]* (?:errors?(?: generated)?|Error\(s\))\.?$",
    r"Found [1-9][0-9]* errors?\b|cc1\w*: all warnings being treated",
    r".*\bcompiled with [1-9][0-9]* errors?\b|\[!\] \S|Module (?:not found|build failed)|.*\bfailed to resolve import",
    r"E: \S|Err:[0-9]+ |dpkg: error |\s*× \S",
    # Infrastructure.
    r"[│|]\s{0,4}Error: |.*Error response from daemon: |Error from server|(?:fatal|failed): \[.*\]",
    r"::error(?: [^:\n]*)?::|##\[error\]|##vso\[task\.logissue [^\]\n]*type=error",
    r"The connection to the server .* was refused|dependency failed to start: ",
    r".*\b(?:CrashLoopBackOff|ImagePullBackOff|ErrImagePull|OOMKilled|CreateContainerConfigError)\b",
    r"slurmstepd\S*: error|.*CANCELLED AT .*(?:TIME LIMIT|NODE FAIL)|.*Exited with (?:exit )?code [1-9]",
    r"(?:[0-9:]{8}\s+)?(?:Completed with [1-9][0-9]* errors?\b|(?:Runtime|Database|Compilation) Error\b)",
    r"(?:Process|Command|Script|Job|Task)\b.*\b(?:exited|failed|terminated) with "
    r"(?:non-zero )?(?:exit )?(?:code|status):? [1-9]",
    # Levels by a letter, by three, or by a number.
    _lettered("EFC", "ERR|FTL|CRT"), r"fail: [\w.]+\[[0-9]+\]", _prioritized(0, 3),
)  # fmt: skip

WARNINGS = (
    r".*:[0-9]+: \w*Warning: |\s{0,8}\w*(?:Deprecation|Future|User|Runtime|Syntax|Resource)Warning: ",
    r"npm (?:WARN|warn)(?: |$)|W: \S|CMake (?:Deprecation )?Warning|[│|]\s{0,4}Warning: ",
    r"PHP (?:Warning|Notice|Deprecated): |Deprecated: ",
    r".*(?:\([0-9]+,[0-9]+\)|:[0-9]+:[0-9]+)(?::| -)\s+warning\b|\s+[0-9]+:[0-9]+\s+warning\s{1,4}\S",
    r"\s{0,8}[1-9][0-9]* (?:warnings?(?: generated)?|Warning\(s\))\.?$|.*\bcompiled with [1-9][0-9]* warnings?\b",
    r"\S+\.\w+:[0-9]+:[0-9]+: W[0-9]{3,4}\b|w: \S+\.kts?:[0-9]+:|\(!\) \S",
    r"::warning(?: [^:\n]*)?::|##\[warning\]|##vso\[task\.logissue [^\]\n]*type=warning",
    r"\(node:[0-9]+\) |Warning message|=+ warnings summary =+|FAILED - RETRYING"
    r"|(?:\S+)?\s+Warning\s{2,}[A-Z][A-Za-z]+\s{2,}\S",
    _lettered("W", "WRN"), _prioritized(4, 4),
)  # fmt: skip

INFOS = (r"::notice(?: [^:\n]*)?::", _lettered("I", "INF"), _prioritized(5, 6))
DEBUGS = (
    r"::debug::|##\[debug\]|(?:dbug|trce): [\w.]+\[[0-9]+\]", _lettered("DV", "DBG|TRC|VRB"), _prioritized(7, 7),
)  # fmt: skip

# A level word that says that there is none: "0 errors", "ERROR = 0", "no ERROR", and options that only name a level.
NEGATED = (
    r"(?i)\b(?:0|no|zero|without(?: any)?)\s{1,4}(?:errors?|warnings?|failures?|err|warn|fatal|failed|failing|fail)\b"
    r"|(?i)\b(?:errors?|err|warnings?|warn|failures?|failed|fail|fatal)(?:\(s\))?\s{0,4}[=:]\s{0,4}0\b(?:\s+ok\b)?"
    r"|(?i)\blog[-_ ]?level[\"' ]{0,2}[=: ]\s{0,2}[\"']?(?:debug|info|warn(?:ing)?|error|critical)\b"
    r"|\b(?:DEBUG|TRACE|VERBOSE)=[01]\b"
)
