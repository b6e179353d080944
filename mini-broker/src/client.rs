//! A small client for the commands, made from the same wire tables.
