//! `mini-broker dump-log`: what stands in a log's files, in the lines of Kafka's `DumpLogSegments`;
//! with `--explain`, one message byte by byte.

pub mod explain;
mod indexes;
mod metadata;
pub mod segment;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Failure, terminal};
use indexes::Complaints;

#[derive(clap::Args, Default)]
pub struct Args {
    /// The files to read, separated by commas: .log, .index, .timeindex, and the metadata log's .checkpoint
    #[arg(long, required = true, value_delimiter = ',', value_name = "FILE,FILE")]
    files: Vec<PathBuf>,

    /// Print the messages too
    #[arg(long)]
    print_data_log: bool,

    /// Look into compressed batches: a line for each record
    #[arg(long)]
    deep_iteration: bool,

    /// Print what the messages of a metadata log say
    #[arg(long)]
    cluster_metadata_decoder: bool,

    /// With the messages: only keys and values
    #[arg(long)]
    skip_record_metadata: bool,

    /// Only check the index against the log, do not print it
    #[arg(long)]
    verify_index_only: bool,

    /// Only check what a broker checks at its start to decide on a rebuild
    #[arg(long)]
    index_sanity_check: bool,

    /// Read no more than this many bytes of a .log
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,

    /// Name every byte of the message with this offset: what it is, where it stands, what it says
    #[arg(long, value_name = "OFFSET", conflicts_with_all = ["print_data_log", "deep_iteration",
        "cluster_metadata_decoder", "skip_record_metadata", "verify_index_only", "index_sanity_check", "max_bytes"])]
    explain: Option<i64>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    let result = dump(&args, &mut out);
    // What was read before a failure is worth seeing, and comes before its sentence.
    out.flush()?;
    result
}

pub fn dump(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    if let Some(offset) = args.explain {
        return explain::explain(&args.files, offset, out);
    }
    let mut complaints = Complaints::default();
    for file in &args.files {
        writeln!(out, "Dumping {}", file.display())?;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("log" | "checkpoint") => segment::dump(file, args, out, &mut complaints)?,
            Some("index") => indexes::dump_offsets(file, args, out, &mut complaints)?,
            Some("timeindex") => indexes::dump_times(file, args, out, &mut complaints)?,
            _ => eprintln!("Ignoring unknown file {}", file.display()),
        }
    }
    out.flush()?;
    eprint!("{complaints}");
    Ok(())
}

/// What is printed of one file without further flags.
pub fn text_of(file: &Path) -> Result<String, Failure> {
    let mut text = Vec::new();
    dump(&Args { files: vec![file.to_owned()], ..Default::default() }, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The offset that a segment's file is named after.
fn base_offset(file: &Path) -> Result<i64, Failure> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.parse().map_err(|_| {
        Failure::new(format!(
            "{}: a segment's file is named after its first offset, in 20 digits; `{stem}` is no \
             number",
            file.display()
        ))
    })
}

fn unreadable(file: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::new(format!("cannot read {}: {error}", file.display()))
}
