"""The page that shows the API, with the files that it is made of."""
