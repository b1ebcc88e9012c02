"""Lines of known tools that say a failure or a warning without a level word: their formats, as expressions.

Each expression is looked for in the beginning of a line, colours taken out. They follow what the tools print; the
table `tests/journal/levels.txt` holds a real line for each.
"""

from __future__ import annotations

# Python, JavaScript, Java and .NET name their exceptions alike.
_EXCEPTION = r"(?:[A-Za-z_$][\w$]*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Failure|Panic|Timeout|OutOfMemory)"
# Words of shells and the C library after `program: what:`.
_SYSTEM = (
    r"command not found|not found|No such file or directory|Permission denied|Segmentation fault|Is a directory"
    r"|Connection refused|No space left on device|Operation not permitted|Killed|Bus error|Broken pipe"
)

ERRORS = (
    # Exceptions, where they stand at the beginning of a line.
    rf"\s{{0,8}}(?:Uncaught |Unhandled exception\. |Caused by: |Suppressed: )?{_EXCEPTION}(?::\s|$)",
    r"Exception in thread ",
    r"(?:During handling of the above exception|The above exception was the direct cause)",
    r"\s{0,8}(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\)",
    r"(?:terminate called after throwing|thread '[^'\n]*' (?:\([0-9]+\) )?panicked at |goroutine [0-9]+ \[running)",
    r"\*\* \([A-Z][\w.]*Error\)|.*:[0-9]+:in .*\([A-Z]\w*(?:Error|Exception)\)",
    r"PHP (?:Fatal|Parse) error: |Execution halted|.* died at ",
    # What ends a process.
    rf"(?:.{{0,120}}: )?(?:line [0-9]+: .{{0,60}})?(?:{_SYSTEM})\s*(?:\(core dumped\))?(?:\s+\S.{{0,80}})?$",
    r".*\(core dumped\)|.*Out of memory: Killed process|.*oom-kill|AddressSanitizer|=+[0-9]+=+ERROR",
    r".*(?:CUDA out of memory|CUDA error: |CUDNN_STATUS_|NCCL error|OutOfMemoryError)",
    # Tests.
    r"E   \s*\S|FAILED [\w./-]+::|FAILED \(|ERROR [\w./-]+(?:::| - )|[\w./-]+:[0-9]+: " + _EXCEPTION,
    r"=+ .*\b[1-9][0-9]* (?:failed|errors?)\b.* =+$|[1-9][0-9]* failed\b",
    r"\s*(?:--- )?FAIL:?\s\S|FAIL$|\s*● .* › |\s*[✕✗✘×] \S|\s{1,8}[1-9][0-9]* failing$",
    r"test \S+ \.\.\. FAILED|test result: FAILED",
    r"Tests?(?: Suites)?:\s+[1-9][0-9]* failed|not ok [0-9]+",
    # Builds.
    r"g?make(?:\[[0-9]+\])?: \*\*\* |ninja: build stopped|FAILED: \S|CMake Error|-- Configuring incomplete, errors",
    r"BUILD FAILED|FAILURE: Build failed|\[?BUILD FAILURE|.*: undefined reference to |.*ld returned [1-9]",
    r"npm (?:ERR!|error)(?: |$)|ERR_PNPM_|error Command failed|\s{0,8}(?:✖|✘|×) ?[1-9][0-9]* problems? \([1-9]",
    r".*(?:\([0-9]+,[0-9]+\)|:[0-9]+:[0-9]+)(?::| -)\s+(?:fatal )?error\b",
    r"\s+[0-9]+:[0-9]+\s+error\s{1,4}\S",
    r"E: \S|Err:[0-9]+ |dpkg: error |\s*× \S",
    # Infrastructure.
    r"[│|]\s{0,4}Error: |Error response from daemon: |Error from server|(?:fatal|failed): \[.*\]",
    r"::error(?: [^:\n]*)?::|##\[error\]|##vso\[task\.logissue [^\]\n]*type=error",
    r"slurmstepd: error|.*CANCELLED AT .*(?:TIME LIMIT|NODE FAIL)|.*Exited with (?:exit )?code [1-9]",
    r"(?:Process|Command|Script|Job|Task)\b.*\b(?:exited|failed|terminated) with "
    r"(?:non-zero )?(?:exit )?(?:code|status):? [1-9]",
)  # fmt: skip

WARNINGS = (
    r".*:[0-9]+: \w*Warning: |\s{0,8}\w*(?:Deprecation|Future|User|Runtime|Syntax|Resource)Warning: ",
    r"npm (?:WARN|warn)(?: |$)|W: \S|CMake (?:Deprecation )?Warning|[│|]\s{0,4}Warning: ",
    r"PHP (?:Warning|Notice|Deprecated): ",
    r".*(?:\([0-9]+,[0-9]+\)|:[0-9]+:[0-9]+)(?::| -)\s+warning\b|\s+[0-9]+:[0-9]+\s+warning\s{1,4}\S",
    r"::warning(?: [^:\n]*)?::|##\[warning\]|##vso\[task\.logissue [^\]\n]*type=warning",
    r"\(node:[0-9]+\) |Warning message|=+ warnings summary =+",
)

INFOS = (r"::notice(?: [^:\n]*)?::",)
DEBUGS = (r"::debug::|##\[debug\]",)

# A level word that says that there is none: "0 errors", "ERROR = 0", "no ERROR", and options that only name a level.
NEGATED = (
    r"(?i)\b(?:0|no|zero|without(?: any)?)\s{1,4}(?:errors?|warnings?|failures?|err|warn|fatal|failed|failing)\b"
    r"|(?i)\b(?:errors?|err|warnings?|warn|failures?|failed|fatal)(?:\(s\))?\s{0,4}[=:]\s{0,4}0\b(?:\s+ok\b)?"
    r"|(?i)\blog[-_ ]?level[\"' ]{0,2}[=: ]\s{0,2}[\"']?(?:debug|info|warn(?:ing)?|error|critical)\b"
)
