"""What hatchling asks as it builds: the page that an index shows, and the project's addresses.

README.md links to files of the repository by their paths, which lead nowhere from an index. Where the repository is
known (RELEASE_REPOSITORY, which the release workflow sets) links become whole ones, at the tag of this version. Where
it is not, as in a build by hand, they become plain text, and no address is claimed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or, with its mark, a picture, to a path; one with a scheme is whole already.
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?![a-z]+:)(?P<path>[^)]+)\)")


class Metadata(MetadataHookInterface):
    """Fills in what pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the page, and where the repository is known its addresses."""
        repository = os.environ.get("RELEASE_REPOSITORY", "").rstrip("/")
        tag = f"v{metadata['version']}"
        page = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": linked(page, repository, tag)}
        if repository:
            metadata["urls"] = {
                "Source": f"{repository}/tree/{tag}",
                "Documentation": f"{repository}/blob/{tag}/README.md",
                "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }
        else:
            metadata["urls"] = {}


def linked(page: str, repository: str, tag: str) -> str:
    """`page` with whole links into `repository` at `tag`; with none where there is no repository."""

    def whole(found: re.Match[str]) -> str:
        if not repository:
            return "" if found["picture"] else found["text"]
        kind = "raw" if found["picture"] else "blob"
        path = f"{kind}/{tag}/{found['path']}"
        return f"{found['picture']}[{found['text']}]({repository}/{path})"

    return _LINK.sub(whole, page)
