//! All the ways in which a connection ends, and who learns of it when.

use mini_broker::broker::Input;

use crate::net::End;
use crate::world::{Event, World};

/// How long a node waits for an answer.
const PATIENCE_US: u64 = 30_000_000;

impl World {
    /// A connection breaks: both ends learn of it, sooner or later.
    pub fn cut(&mut self, connection: u32) {
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        (known.to_server_lost, known.to_client_lost) = (true, true);
        self.tell_server(connection);
        self.tell_client(connection);
    }

    fn tell_server(&mut self, connection: u32) {
        let delay = self.delay();
        let known = self.net.connections.get(&connection).expect("it was there");
        let at_us = known.to_server_us.max(self.now_us + delay);
        self.at(at_us, Event::ServerGone { connection });
    }

    fn tell_client(&mut self, connection: u32) {
        let delay = self.delay();
        let known = self.net.connections.get(&connection).expect("it was there");
        let at_us = known.to_client_us.max(self.now_us + delay);
        self.at(at_us, Event::ClientGone { connection });
    }

    /// A client closes its end.
    pub fn close(&mut self, connection: u32) {
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        known.client_open = false;
        self.tell_server(connection);
    }

    pub fn server_gone(&mut self, connection: u32) {
        let Some(_) = self.held(connection, Event::ServerGone { connection }) else { return };
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        let server = known.server;
        let there = known.server_open && self.hosts[server].life == known.server_life;
        known.server_open = false;
        self.tidy(connection);
        if there {
            self.input(server, Input::Gone { connection });
        }
    }

    pub fn client_gone(&mut self, connection: u32) {
        let Some(_) = self.held(connection, Event::ClientGone { connection }) else { return };
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        if !std::mem::replace(&mut known.client_open, false) {
            return self.tidy(connection);
        }
        let waiting = std::mem::take(&mut known.waiting);
        match known.client {
            End::Client(client) => self.client_lost(client, connection),
            End::Host(host) => {
                let key = known.line.map(|line| (host, known.server, line));
                if let Some(outgoing) = key.and_then(|key| self.net.lines.get_mut(&key))
                    && outgoing.connection == Some(connection)
                {
                    outgoing.connection = None;
                }
                for (call, _) in waiting.into_values() {
                    if let Some(call) = call {
                        self.peer_gone(host, call, "the connection was lost");
                    }
                }
            }
        }
        self.tidy(connection);
    }

    fn tidy(&mut self, connection: u32) {
        let known = self.net.connections.get(&connection);
        if known.is_some_and(|known| !known.client_open && !known.server_open) {
            self.net.connections.remove(&connection);
        }
    }

    /// A process is dead. The system closes its connections, unless the whole machine is out.
    pub fn process_gone(&mut self, host: usize, silent: bool) {
        self.net.lines.retain(|(from, ..), _| *from != host);
        let all: Vec<u32> = self.net.connections.keys().copied().collect();
        for connection in all {
            let discards = self.dice.chance(300);
            let known = self.net.connections.get_mut(&connection).expect("listed above");
            if known.server == host && known.server_open {
                known.server_open = false;
                known.under_way.clear();
                if !silent {
                    self.tell_client(connection);
                }
            } else if known.client == End::Host(host) && known.client_open {
                known.client_open = false;
                known.to_server_lost |= discards;
                if !silent {
                    self.tell_server(connection);
                }
            }
        }
    }

    /// A machine is there again that was out: it knows none of its connections.
    pub fn machine_back(&mut self, host: usize) {
        let all: Vec<u32> = self.net.connections.keys().copied().collect();
        for connection in all {
            let (after, never) = (self.dice.between(1_000, 2_000_000), self.dice.chance(300));
            let known = &self.net.connections[&connection];
            if known.server == host && !known.server_open && known.client_open {
                self.at(self.now_us + after, Event::ClientGone { connection });
            } else if known.client == End::Host(host)
                && !known.client_open
                && known.server_open
                && !never
            {
                self.at(self.now_us + after, Event::ServerGone { connection });
            }
        }
    }

    /// Nodes do not wait for ever.
    pub fn sweep(&mut self) {
        let now = self.now_us;
        let mut gone = Vec::new();
        for known in self.net.connections.values_mut() {
            let End::Host(host) = known.client else { continue };
            if !known.client_open || self.hosts[host].hung {
                continue;
            }
            known.waiting.retain(|_, (call, since)| {
                let waits = *since + PATIENCE_US > now;
                if !waits && let Some(call) = call {
                    gone.push((host, *call));
                }
                waits
            });
        }
        for (host, call) in gone {
            self.peer_gone(host, call, "no answer in time");
        }
    }
}
