"""Ways to run the app on other engines; each is optional and has requirements of its own."""
