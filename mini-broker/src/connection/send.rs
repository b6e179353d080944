//! Answers to the socket: small ones together in one write, records straight from their files.

use std::fs::File;
use std::io;

use bytes::BytesMut;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;
use wire::{RequestHeader, encode_response};

use super::hang_up;
use crate::engine::Delivery;
use crate::node::{Answer, Located};
use crate::numbers::requests::Requests;

/// From so many bytes on, a slice is taken for one that may not be in the page cache.
#[cfg(target_os = "linux")]
const MAY_BE_COLD: usize = 64 << 10;

/// Sends answers in this order. An answer that says to hang up is the last, and the error.
pub async fn answers(
    stream: &TcpStream,
    ready: Vec<(RequestHeader, Box<Delivery>)>,
    requests: Option<&Requests>,
) -> io::Result<()> {
    let mut unsent = BytesMut::new();
    let sending = Instant::now();
    let mut timed = Vec::new();
    for (header, delivery) in ready {
        let (body, slices) = match delivery.answer {
            Answer::Response { body, slices } => (body, slices),
            Answer::Nothing => {
                if let (Some(_), Some(stamps)) = (requests, delivery.stamps) {
                    timed.push((header, stamps, Vec::new()));
                }
                continue;
            }
            Answer::HangUp(why) => {
                send(stream, &unsent, false).await?;
                return Err(hang_up(why));
            }
        };
        let encoded = encode_response(&header, &body);
        if let (Some(_), Some(stamps)) = (requests, delivery.stamps) {
            let errors = body.error_codes(header.api_version);
            timed.push((header, stamps, errors));
        }
        let mut rest = encoded.bytes;
        let mut done = 0;
        for gap in &encoded.gaps {
            let before = rest.split_to(gap.at - done);
            done = gap.at;
            join(&mut unsent, before);
            // The kernel holds these bytes back for the file's, which follow at once.
            send(stream, &unsent, true).await?;
            unsent = BytesMut::new();
            let slot = gap.slot as usize;
            send_file(stream, &delivery.files[slot], &slices[slot]).await?;
        }
        join(&mut unsent, rest);
    }
    send(stream, &unsent, false).await?;
    for (header, stamps, errors) in &timed {
        requests.expect("somebody counts").sent(header, stamps, sending, errors);
    }
    Ok(())
}

fn join(to: &mut BytesMut, more: BytesMut) {
    if to.is_empty() {
        *to = more;
    } else {
        to.extend_from_slice(&more);
    }
}

#[cfg(target_os = "linux")]
async fn send(stream: &TcpStream, mut bytes: &[u8], more: bool) -> io::Result<()> {
    use rustix::net::SendFlags;
    let flags = SendFlags::NOSIGNAL | if more { SendFlags::MORE } else { SendFlags::empty() };
    while !bytes.is_empty() {
        let sent = retry(stream, || Ok(rustix::net::send(stream, bytes, flags)?)).await?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// Not one byte of the records passes through this process.
///
/// A reader at the log's end gets a few bytes that were just written. Whoever asks for much is
/// catching up, and its bytes may have to come from the disk: others run on meanwhile.
#[cfg(target_os = "linux")]
async fn send_file(stream: &TcpStream, file: &File, located: &Located) -> io::Result<()> {
    let mut position = located.position;
    let end = located.position + u64::from(located.len);
    while position < end {
        let left = (end - position) as usize;
        let sent = retry(stream, || {
            let mut send = || Ok(rustix::fs::sendfile(stream, file, Some(&mut position), left)?);
            if left < MAY_BE_COLD { send() } else { tokio::task::block_in_place(send) }
        });
        if sent.await? == 0 {
            return Err(hang_up("the log was cut while it was being sent"));
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn send(stream: &TcpStream, mut bytes: &[u8], _more: bool) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = retry(stream, || stream.try_write(bytes)).await?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn send_file(stream: &TcpStream, file: &File, located: &Located) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut buffer = vec![0; (located.len as usize).min(256 << 10)];
    let mut position = located.position;
    let end = located.position + u64::from(located.len);
    while position < end {
        let want = buffer.len().min((end - position) as usize);
        file.read_exact_at(&mut buffer[..want], position)?;
        send(stream, &buffer[..want], true).await?;
        position += want as u64;
    }
    Ok(())
}

/// Tries until the socket has room.
async fn retry<T>(stream: &TcpStream, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        stream.writable().await?;
        match stream.try_io(Interest::WRITABLE, &mut attempt) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
