"""Unknown files, and the command `scripts/onboard` run on them in this process."""

import gzip

from socare_spark.onboarding.command import main

PASSES = [
    "PASS_ID,PERID,SURNAME,DOB,ISSUED,POSTCODE,EMAIL,CENTRE,NOTES",
    *(
        f"P{n:05d},{4_000_000 + n},Quillfeather{n},0{n % 9 + 1}/02/19{n % 50 + 30},"
        f"{n % 28 + 1:02d}/06/2015,B{n % 30 + 1} {n % 9}XQ,zz{n}@qq.org,Nechells,"
        f'"Came with a crutch, lent her a zimmer frame no {n}"'
        for n in range(60)
    ),
]

# Parts of the values above, in lower case, that no output may contain.
VALUES = (
    "quill", "qq.org", "crutch", "zimmer", "xq", "nechells", "p000", "40000", "/02/19", "/06/2015",
)  # fmt: skip


def onboard(capsys, *arguments):
    """Exit code and output of the command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write(path, lines, encoding="utf-8", end="\n"):
    data = (end.join(lines) + end).encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
