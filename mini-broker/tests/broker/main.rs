//! The broker, tested twice: driven by hand with a time that is an argument and a disk in memory,
//! and as a process, over real sockets, with real files and real kills.

// What the tests stand on.
mod batches;
mod by_hand;
mod mem_files;
mod mortal;
mod process;

// By hand.
mod alter_configs;
mod compacted;
mod compaction;
mod compaction_kills;
mod configs;
mod coordinator;
mod delete_records;
mod deleted_everywhere;
mod determinism;
mod following;
mod groups;
mod leaving;
mod log_append_time;
mod log_dirs;
mod long_poll;
mod made_again;
mod metadata_log;
mod numbers;
mod retention;
mod snapshot_readers;
mod snapshots;
mod storage;
mod topics;

// As a process.
mod bad_input;
mod cluster_processes;
mod end_to_end;
mod offsets;
mod restart;
mod serve;
