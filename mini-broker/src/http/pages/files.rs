//! The data directories of this process's nodes: from the directory down to one byte of one batch.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::messages::{Shown, shown};
use super::{Frame, Shared, Site, bytes, count, encoded, html, time};
use crate::cli::dump_log;
use crate::cli::dump_log::explain::{Row, header_rows, record_rows};
use crate::cli::dump_log::segment::Segment;
use crate::http::Problem;

/// So many batches stand on one page, and so many records of one batch.
const ROWS: usize = 50;
/// No more of a text file is shown.
const MOST_TEXT: u64 = 64 << 10;

#[derive(Template)]
#[template(path = "files.html")]
struct DirsPage {
    frame: Frame,
    nodes: Vec<NodeRow>,
}

struct NodeRow {
    name: String,
    href: String,
    dir: String,
}

#[derive(Template)]
#[template(path = "files_dir.html")]
struct DirPage {
    frame: Frame,
    way: Vec<(String, String)>,
    path: String,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    href: String,
    is_dir: bool,
    size: String,
    says: String,
}

#[derive(Template)]
#[template(path = "files_text.html")]
struct TextPage {
    frame: Frame,
    way: Vec<(String, String)>,
    path: String,
    text: String,
    note: String,
}

#[derive(Template)]
#[template(path = "files_log.html")]
struct LogPage {
    frame: Frame,
    way: Vec<(String, String)>,
    path: String,
    href: String,
    size: String,
    batches: Vec<BatchRow>,
    next: Option<u64>,
    end: String,
}

struct BatchRow {
    position: u64,
    offsets: String,
    count: i32,
    size: String,
    codec: String,
    time: String,
    epoch: i32,
    producer: String,
}

#[derive(Template)]
#[template(path = "files_batch.html")]
struct BatchPage {
    frame: Frame,
    way: Vec<(String, String)>,
    path: String,
    href: String,
    position: u64,
    after: u64,
    header: Vec<Row>,
    records: Vec<RecordRow>,
    more: String,
    record: Vec<Row>,
    chosen: i64,
}

struct RecordRow {
    offset: i64,
    time: String,
    size: usize,
    key: Shown,
    value: Shown,
}

pub async fn dirs(State(site): Shared) -> Result<Response, Problem> {
    let dirs: BTreeSet<&FilePath> = site.nodes.all.iter().map(|node| &*node.data_dir).collect();
    let nodes = site.nodes.all.iter().map(|node| NodeRow {
        name: called(&node.name()),
        href: format!("/files/{}", node.name()),
        dir: shown_path(&node.data_dir),
    });
    let mut nodes: Vec<NodeRow> = nodes.collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    // A single broker and its coordinator share a directory.
    if dirs.len() == 1 {
        return Ok(Redirect::to(&nodes[0].href).into_response());
    }
    html(&DirsPage { frame: site.frame("files", "Files", ""), nodes })
}

/// `1` is broker 1.
fn called(node: &str) -> String {
    match node.parse::<i32>() {
        Ok(id) => format!("broker {id}"),
        Err(_) => node.to_owned(),
    }
}

/// A node of this process, and where its files lie.
fn root(site: &Site, node: &str) -> Result<PathBuf, Problem> {
    let found = site.nodes.all.iter().find(|it| it.name() == node);
    let found = found.ok_or_else(|| {
        Problem::not_found(format!(
            "{:?} does not run in this process: its files are shown where it runs.",
            called(node)
        ))
    })?;
    Ok(found.data_dir.clone())
}

/// What lies in a directory under this very name: no way leads out of it.
fn child(dir: &FilePath, name: &str) -> Result<PathBuf, Problem> {
    let gone = || Problem::not_found(format!("There is no {name:?} in {}.", dir.display()));
    let mut entries = fs::read_dir(dir).map_err(|_| gone())?;
    let found = entries.find_map(|entry| entry.ok().filter(|entry| entry.file_name() == name));
    found.map(|entry| entry.path()).ok_or_else(gone)
}

/// Files are read where nobody waits for it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| {
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the page has a bug: {panic}")))
    })
}

fn unreadable(path: &FilePath) -> impl Fn(io::Error) -> Problem {
    move |error| match error.kind() {
        // Retention and compaction go on while somebody looks.
        io::ErrorKind::NotFound => {
            Problem::not_found(format!("{} is not there any more.", path.display()))
        }
        _ => {
            let sentence = format!("cannot read {}: {error}", path.display());
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
        }
    }
}

/// From the data directory to here, each with its page.
fn way(parts: &[&str]) -> Vec<(String, String)> {
    let mut href = "/files".to_owned();
    let mut way = Vec::new();
    for (depth, part) in parts.iter().enumerate() {
        href = format!("{href}/{}", encoded(part));
        way.push((if depth == 0 { called(part) } else { (*part).to_owned() }, href.clone()));
    }
    way
}

pub async fn dir(State(site): Shared, Path(node): Path<String>) -> Result<Response, Problem> {
    let root = root(&site, &node)?;
    let base = format!("/files/{node}");
    let path = shown_path(&root);
    let entries = aside(move || entries(&root, &base, true)).await?;
    let frame = site.frame("files", format!("Files of {}", called(&node)), "");
    html(&DirPage { frame, way: way(&[&node]), path, entries })
}

fn shown_path(path: &FilePath) -> String {
    std::path::absolute(path).unwrap_or(path.to_owned()).display().to_string()
}

#[derive(Deserialize)]
pub struct Sought {
    offset: Option<i64>,
}

pub async fn partition(
    State(site): Shared,
    Path((node, dir)): Path<(String, String)>,
    Query(sought): Query<Sought>,
) -> Result<Response, Problem> {
    let root = root(&site, &node)?;
    let base = format!("/files/{node}/{}", encoded(&dir));
    if let Some(offset) = sought.offset {
        let href = aside({
            let (root, dir) = (root.clone(), dir.clone());
            move || find(&child(&root, &dir)?, &base, offset)
        });
        return Ok(Redirect::to(&href.await?).into_response());
    }
    let path = shown_path(&root.join(&dir));
    let entries = aside({
        let dir = dir.clone();
        move || {
            let path = child(&root, &dir)?;
            match path.is_dir() {
                true => entries(&path, &base, false).map(Ok),
                false => text(&path).map(Err),
            }
        }
    });
    let frame = site.frame("files", dir.clone(), "");
    let way = way(&[&node, &dir]);
    match entries.await? {
        Ok(entries) => html(&DirPage { frame, way, path, entries }),
        Err((text, note)) => html(&TextPage { frame, way, path, text, note }),
    }
}

fn entries(dir: &FilePath, base: &str, dirs_first: bool) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
        let entry = entry.map_err(unreadable(dir))?;
        // One that goes away while they are listed is not listed.
        let Ok(metadata) = entry.metadata() else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let size = match metadata.is_dir() {
            true => fs::read_dir(entry.path())
                .into_iter()
                .flatten()
                .filter_map(|file| file.ok()?.metadata().ok())
                .map(|file| file.len())
                .sum(),
            false => metadata.len(),
        };
        entries.push(Entry {
            href: format!("{base}/{}", encoded(&name)),
            is_dir: metadata.is_dir(),
            size: bytes(size),
            says: says(&name, metadata.is_dir()),
            name,
        });
    }
    entries.sort_by(|a, b| {
        ((dirs_first && !a.is_dir), &a.name).cmp(&((dirs_first && !b.is_dir), &b.name))
    });
    Ok(entries)
}

/// What a name means.
fn says(name: &str, is_dir: bool) -> String {
    let says = match (name, is_dir) {
        ("__cluster_metadata-0", _) => "the coordinator's log: topics, brokers, leaders",
        ("meta.properties", _) => "whose directory this is",
        (".lock", _) => "held while the broker runs",
        ("broker-epoch-checkpoint", _) => "the epoch in which this broker takes part",
        ("partition.metadata", _) => "the topic's id",
        ("leader-epoch-checkpoint", _) => "where each leader epoch begins",
        ("recovery-point-offset-checkpoint", _) => "below these offsets the logs are on the disk",
        ("replication-offset-checkpoint", _) => "the high watermarks",
        ("log-start-offset-checkpoint", _) => "where records were deleted before",
        ("cleaner-offset-checkpoint", _) => "how far compaction has come",
        (_, true) if name.starts_with("__consumer_offsets-") => {
            "what groups have committed, as records"
        }
        (_, true) => "a partition",
        (name, _) if name.ends_with(".log") => "batches of records, named after the first offset",
        (name, _) if name.ends_with(".timeindex") => "times → offsets",
        (name, _) if name.ends_with(".index") => "offsets → positions in the .log",
        (name, _) if name.ends_with(".snapshot") => "what is known of idempotent producers",
        (name, _) if name.ends_with(".checkpoint") => "a snapshot of the metadata log",
        _ => "",
    };
    says.to_owned()
}

/// A file as text, and what there is to say of it.
fn text(path: &FilePath) -> Result<(String, String), Problem> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if ["index", "timeindex"].contains(&extension) {
        let text = dump_log::text_of(path)
            .map_err(|failure| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, failure.sentence))?;
        return Ok((cut(text, MOST_TEXT as usize), "as mini-broker dump-log prints it".into()));
    }
    let mut read = Vec::new();
    let file = fs::File::open(path).map_err(unreadable(path))?;
    let size = file.metadata().map_err(unreadable(path))?.len();
    io::Read::read_to_end(&mut io::Read::take(file, MOST_TEXT), &mut read)
        .map_err(unreadable(path))?;
    match String::from_utf8(read) {
        Ok(text) if size > MOST_TEXT => {
            Ok((text, format!("the first {} of {}", bytes(MOST_TEXT), bytes(size))))
        }
        Ok(text) => Ok((text, bytes(size))),
        Err(_) => Ok((String::new(), format!("{} that are no text", bytes(size)))),
    }
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n… and more");
    }
    text
}

/// The page of the batch that holds an offset.
fn find(dir: &FilePath, base: &str, offset: i64) -> Result<String, Problem> {
    let mut segments: Vec<(i64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable(dir))?.flatten() {
        let path = entry.path();
        let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(first), true) = (first, path.extension().is_some_and(|it| it == "log")) {
            segments.push((first, path));
        }
    }
    segments.sort();
    let holds = segments.iter().rev().find(|(first, _)| *first <= offset);
    let gone = || Problem::not_found(format!("Offset {offset} is not in {}.", dir.display()));
    let (_, path) = holds.ok_or_else(gone)?;
    let mut segment = Segment::open(path).map_err(unreadable(path))?;
    let mut position = 0;
    while let Some(header) = segment.header_at(position).map_err(unreadable(path))? {
        if header.last_offset() >= offset {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let place = format!("at={position}&offset={offset}");
            return Ok(format!("{base}/{}?{place}#record", encoded(&name)));
        }
        position += header.size() as u64;
    }
    Err(gone())
}

/// Which batch of a `.log`, and which of its records.
#[derive(Deserialize)]
pub struct Place {
    from: Option<u64>,
    at: Option<u64>,
    offset: Option<i64>,
}

pub async fn file(
    State(site): Shared,
    Path((node, dir, name)): Path<(String, String, String)>,
    Query(place): Query<Place>,
) -> Result<Response, Problem> {
    let root = root(&site, &node)?;
    let way = way(&[&node, &dir, &name]);
    let href = way[2].1.clone();
    let path = shown_path(&root.join(&dir).join(&name));
    let at = Arc::clone(&site);
    aside(move || {
        let file = child(&child(&root, &dir)?, &name)?;
        if !(name.ends_with(".log") || name.ends_with(".checkpoint")) {
            let (text, note) = text(&file)?;
            let frame = at.frame("files", name.clone(), "");
            return html(&TextPage { frame, way, path, text, note });
        }
        let failed = unreadable(&file);
        let mut segment = Segment::open(&file).map_err(&failed)?;
        match place.at {
            Some(position) => {
                let frame = at.frame("files", format!("{name} at {position}"), "");
                let page = batch(&mut segment, frame, position, place.offset, way, path, href);
                html(&page.map_err(&failed)?)
            }
            None => {
                let frame = at.frame("files", name.clone(), "");
                let page = log(&mut segment, frame, place.from.unwrap_or(0), way, path, href);
                html(&page.map_err(&failed)?)
            }
        }
    })
    .await
}

fn log(
    segment: &mut Segment,
    frame: Frame,
    from: u64,
    way: Vec<(String, String)>,
    path: String,
    href: String,
) -> io::Result<LogPage> {
    let mut position = from;
    let mut batches = Vec::new();
    while batches.len() < ROWS {
        let Some(header) = segment.header_at(position)? else { break };
        batches.push(BatchRow {
            position,
            offsets: match header.last_offset_delta {
                0 => header.base_offset.to_string(),
                _ => format!("{}–{}", header.base_offset, header.last_offset()),
            },
            count: header.count,
            size: bytes(header.size() as u64),
            codec: header.codec().map_or("?".to_owned(), |codec| codec.to_string()),
            time: time(header.max_timestamp),
            epoch: header.leader_epoch,
            producer: match header.producer_id {
                -1 => "–".to_owned(),
                id => format!("{id}, from sequence {}", header.base_sequence),
            },
        });
        position += header.size() as u64;
    }
    let full = batches.len() == ROWS && position < segment.end();
    let end = match segment.end() - position.min(segment.end()) {
        0 => "That is all of the file.".to_owned(),
        _ if full => String::new(),
        left => format!("{left} bytes follow that are no whole batch yet."),
    };
    let (size, next) = (bytes(segment.end()), full.then_some(position));
    Ok(LogPage { frame, way, path, href, size, batches, next, end })
}

fn batch(
    segment: &mut Segment,
    frame: Frame,
    position: u64,
    offset: Option<i64>,
    way: Vec<(String, String)>,
    path: String,
    href: String,
) -> io::Result<BatchPage> {
    let nothing = || io::Error::new(io::ErrorKind::NotFound, "no batch begins there");
    let batch = segment.batch_at(position)?.ok_or_else(nothing)?;
    let header = header_rows(position, &batch)?;
    let read = batch.records()?;
    let (mut records, mut chosen) = (Vec::new(), None);
    let mut all = 0;
    for (index, record) in read.iter().enumerate() {
        let record = record?;
        all += 1;
        if offset == Some(record.offset) {
            chosen = Some((index, record.offset));
        }
        if records.len() < ROWS || offset == Some(record.offset) {
            records.push(RecordRow {
                offset: record.offset,
                time: time(record.timestamp),
                size: record.size,
                key: shown(record.key),
                value: shown(record.value),
            });
        }
    }
    let record = match chosen {
        Some((index, _)) => record_rows(position, &batch, index)?,
        None => Vec::new(),
    };
    Ok(BatchPage {
        frame,
        way,
        path,
        href,
        position,
        after: position + batch.bytes.len() as u64,
        header,
        more: match all - records.len() {
            0 => String::new(),
            more => format!("… and {} records more", count(more as u64)),
        },
        records,
        record,
        chosen: chosen.map_or(-1, |(_, offset)| offset),
    })
}
