//! A broker as a process, and a client that knows nothing but the wire.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use bytes::BytesMut;
use rustix::process::{Pid, Signal, kill_process};
use wire::metadata::{MetadataRequest, MetadataRequestTopic};
use wire::produce::PartitionProduceResponse;
use wire::{Api, ErrorCode, RequestHeader, decode_response, encode_request};

use crate::batches;

/// A broker; killed when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    pub banner: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, args: &[&str]) -> Self {
        let mut child =
            command(data, args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let banner = lines.next().expect("a banner");
        let address =
            lines.next().and_then(|line| Some(line.strip_prefix("listening on ")?.into()));
        Self { child, address: address.expect("a line that says where it listens"), banner }
    }

    pub fn connect(&self) -> Connection {
        Connection::new(&self.address)
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a broker that does not get to listening.
pub fn refused(data: &Path, args: &[&str]) -> Output {
    command(data, args).output().unwrap()
}

fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini-broker"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).args(args);
    command
}

/// A client of raw frames.
pub struct Connection {
    pub stream: TcpStream,
    correlation_id: i32,
}

impl Connection {
    pub fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, correlation_id: 0 }
    }

    pub fn ask<R: Api>(&mut self, version: i16, request: R) -> R::Response {
        let sent = self.send(version, request);
        let (correlation_id, response) = self.receive::<R>(version).unwrap();
        assert_eq!(correlation_id, sent);
        response
    }

    /// As `ask`, when the broker may be killed at any moment.
    pub fn try_ask<R: Api>(&mut self, version: i16, request: R) -> io::Result<R::Response> {
        self.try_send(version, request)?;
        Ok(self.receive::<R>(version)?.1)
    }

    pub fn send<R: Api>(&mut self, version: i16, request: R) -> i32 {
        self.try_send(version, request).unwrap()
    }

    fn try_send<R: Api>(&mut self, version: i16, request: R) -> io::Result<i32> {
        self.correlation_id += 1;
        let header = RequestHeader {
            api_key: R::KEY,
            api_version: version,
            correlation_id: self.correlation_id,
            client_id: Some("test".into()),
        };
        self.stream.write_all(&encode_request(&header, &request.into()))?;
        Ok(self.correlation_id)
    }

    pub fn receive<R: Api>(&mut self, version: i16) -> io::Result<(i32, R::Response)> {
        let frame = self.frame()?;
        let (correlation_id, response) = decode_response(R::KEY, version, frame).unwrap();
        Ok((correlation_id, R::response(response).expect("the same API")))
    }

    pub fn frame(&mut self) -> io::Result<BytesMut> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = BytesMut::zeroed(u32::from_be_bytes(length) as usize);
        self.stream.read_exact(&mut frame)?;
        Ok(frame)
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        // The broker may have hung up before the last of them.
        let _ = self.stream.write_all(bytes);
    }

    /// True if the broker has closed the connection without another byte.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(0) | Err(_))
    }

    /// Makes a topic by asking for its metadata.
    pub fn topic(&mut self, name: &str) {
        let response = self.ask(12, metadata(&[name]));
        assert_eq!(response.topics[0].error_code, ErrorCode::NONE);
    }

    /// Produces one batch to partition 0 and gives what became of it.
    pub fn produce(&mut self, topic: &str, acks: i16, batch: BytesMut) -> PartitionProduceResponse {
        let mut response = self.ask(9, batches::produce(topic, 0, acks, batch));
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Everything in partition 0 from an offset on.
    pub fn read(&mut self, topic: &str, from: i64) -> Vec<(i64, String)> {
        let mut all: Vec<(i64, String)> = Vec::new();
        loop {
            let from = all.last().map_or(from, |(offset, _)| offset + 1);
            let mut response = self.ask(12, batches::fetch(topic, 0, from));
            let partition = response.responses.remove(0).partitions.remove(0);
            assert_eq!(partition.error_code, ErrorCode::NONE);
            let wire::Records::Here(bytes) = partition.records else { panic!("no records") };
            if bytes.is_empty() {
                return all;
            }
            let read = batches::values(&bytes);
            all.extend(read.into_iter().filter(|(offset, _)| *offset >= from));
        }
    }
}

/// Whoever sends only bad things must not disturb others: one more exchange on a new connection.
pub fn still_serves(server: &Server) {
    let mut other = server.connect();
    other.topic("others");
    let acked = other.produce("others", -1, batches::batch(0, &["still here"]));
    assert_eq!(acked.error_code, ErrorCode::NONE);
}

pub fn metadata(topics: &[&str]) -> MetadataRequest {
    let topics = topics
        .iter()
        .map(|name| MetadataRequestTopic { name: Some(name.to_string()), ..Default::default() });
    MetadataRequest { topics: Some(topics.collect()), ..Default::default() }
}
