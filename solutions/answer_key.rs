//! The answer key holds no code: see `Cargo.toml`, which points every lab's tests at its solution.
