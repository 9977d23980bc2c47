"""The explorer: fitted attributors, images and attacks in one HTML page that computes in the reader's own browser.

The page needs no server and asks the network for nothing: scripts, images and weights are in it.  What its scripts
(``*.js``) compute is what the library computes; ``tests/test_explorer.py`` compares them in a browser.
"""

from ganfp.explorer.document import LIMIT, fragment, page
from ganfp.explorer.export import Exhibit, Reader

__all__ = ["LIMIT", "Exhibit", "Reader", "fragment", "page"]
