//! Whose a data directory is: `meta.properties`, as Kafka writes it.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_pcg::Pcg64;
use uuid::Uuid;

use super::Files;
use crate::coordinator::{METADATA_DIR, new_id};

pub const META: &str = "meta.properties";

/// Under which epoch a broker was registered, and at which start of the machine: what was written then
/// is still there, unless the machine has started again.
pub const LAST_EPOCH: &str = "broker-epoch-checkpoint";

/// The cluster whose coordinator has this directory. A new directory begins a new cluster.
pub fn own_cluster(files: &mut dyn Files, node_id: i32, ids: &mut Pcg64) -> io::Result<String> {
    // Where a broker has registered with a coordinator of its own, that one's log is older.
    if files.text(LAST_EPOCH)?.is_some() && files.names(METADATA_DIR)?.is_empty() {
        return Err(io::Error::other(
            "the data directory is that of a broker whose coordinator is elsewhere: expected a \
             coordinator's, or a new one; choose another --data-dir, or say with --coordinator where \
             this broker's is",
        ));
    }
    if let Some(cluster) = cluster(files, node_id)? {
        return Ok(cluster);
    }
    let cluster = base64_id(new_id(ids));
    join(files, node_id, &cluster)?;
    Ok(cluster)
}

/// The cluster that a directory belongs to; `None`: it is new. The error is a sentence.
pub fn cluster(files: &dyn Files, node_id: i32) -> io::Result<Option<String>> {
    let Some(text) = files.text(META)? else {
        let strangers = files.dirs()?;
        return match strangers.first() {
            None => Ok(None),
            Some(dir) => Err(io::Error::other(format!(
                "the data directory has no {META} but a directory {dir}: it is not a broker's, or \
                 lost a file; nothing was touched"
            ))),
        };
    };
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (Some(node), Some(cluster)) = (value("node.id"), value("cluster.id")) else {
        return Err(io::Error::other(format!("{META} lacks a node.id or a cluster.id")));
    };
    if node != node_id.to_string() {
        return Err(io::Error::other(format!(
            "the data directory belongs to node {node}, this one is node {node_id}: choose another \
             --data-dir, or --node-id {node}"
        )));
    }
    Ok(Some(cluster.into()))
}

/// Writes whose the directory is from now on.
pub fn join(files: &mut dyn Files, node_id: i32, cluster: &str) -> io::Result<()> {
    files.checkpoint(META, &format!("version=1\nnode.id={node_id}\ncluster.id={cluster}\n"))
}

/// A UUID as Kafka prints it: 22 characters.
pub fn base64_id(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}
