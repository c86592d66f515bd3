"""Files in, files out: parts of a source as blocks of rows, and outputs that are whole or not there."""
