"""Images in the wild: from anybody's folders, of any size and origin, to an answer and how sure it is."""
