"""``make release``: one archive of what a reader may want to keep; the same files give the same bytes.

It holds the pages, the PDF, the executed notebooks, the records and the generators, and ``SHA256SUMS`` of them all.
"""

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = {"_build/html": "html", "_build/ganfp.pdf": "ganfp.pdf", "executed": "notebooks", "results": "results"}
MORE = ("README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md", "codemeta.json", ".zenodo.json")


def files(root):
    """Every file of the archive under its name there; ``FileNotFoundError`` says what makes a missing part."""
    for part in PARTS:
        if not (root / part).exists():
            raise FileNotFoundError(f"{root / part} is missing; run: make book pdf")
    found = {name: root / name for name in MORE if (root / name).exists()}
    for part, name in PARTS.items():
        place = root / part
        inside = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        for path in inside:
            below = path.relative_to(place).as_posix()
            if not any(step.startswith(".") for step in path.relative_to(root).parts):
                found[name if place.is_file() else f"{name}/{below}"] = path
    return dict(sorted(found.items()))


def archive(root, target):
    """Write the archive: names sorted, and no time, owner or mode of this machine's."""
    contents = {name: path.read_bytes() for name, path in files(root).items()}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in contents.items())
    contents["SHA256SUMS"] = sums.encode()
    target.parent.mkdir(exist_ok=True)
    with (
        open(target, "wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, data in contents.items():
            entry = tarfile.TarInfo(f"ganfp/{name}")
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return hashlib.sha256(target.read_bytes()).hexdigest()


if __name__ == "__main__":
    target = ROOT / "dist" / "ganfp.tar.gz"
    try:
        print(archive(ROOT, target), target, f"{target.stat().st_size / 1e6:.1f} MB")
    except FileNotFoundError as error:
        sys.exit(str(error))
