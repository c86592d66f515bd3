"""Key files, and what is derived from them. The only room that touches cryptography."""
