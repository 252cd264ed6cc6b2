"""How the tables came to be as they are: one file for each revision, never changed once it was released."""
