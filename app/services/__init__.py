"""The bridge between the window and everything below it: QtCore only, no widgets."""
