//! The terminal while something is live on it: a screen of its own, keys that come one by one. Whatever
//! happens, it is given back as it was.

use std::io::{self, IsTerminal, Read, Write};
use std::panic;
use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A line, and how much it matters.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Plain,
    Bold,
    Dim,
    /// What keys go to.
    Chosen,
}

/// Eight heights of a bar that fills a cell from below.
pub const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The other screen, without cursor and without wrapping.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// How the terminal was, while it is not.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

pub struct Live {
    colours: bool,
    keys: UnboundedReceiver<u8>,
}

impl Live {
    /// Takes the terminal, if there is one.
    pub fn new() -> io::Result<Option<Self>> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        // Ctrl-C stays what it is.
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        if let Ok(mut place) = BEFORE.lock() {
            *place = Some(before);
        }
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            usual(info);
        }));
        io::stdout().write_all(ENTER.as_bytes())?;
        let colours = std::env::var_os("NO_COLOR").is_none();
        Ok(Some(Self { colours, keys: keys() }))
    }

    /// The next key that is pressed.
    pub async fn key(&mut self) -> u8 {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }

    /// Draws over what was there before.
    pub fn draw(&self, lines: &[Line]) -> io::Result<()> {
        let size = tcgetwinsize(io::stdout());
        let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row, size.ws_col));
        let mut text = String::from("\x1b[H");
        for (number, line) in lines.iter().take(rows.into()).enumerate() {
            if number > 0 {
                text += "\r\n";
            }
            let weight = match line.weight {
                _ if !self.colours && line.weight != Weight::Chosen => "",
                Weight::Plain => "",
                Weight::Bold => "\x1b[1m",
                Weight::Dim => "\x1b[2m",
                Weight::Chosen => "\x1b[7m",
            };
            text += weight;
            text.extend(line.text.chars().take(columns.into()));
            text += "\x1b[0m\x1b[K";
        }
        text += "\x1b[J";
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once; later calls find nothing to do.
fn give_back() {
    let before = BEFORE.lock().ok().and_then(|mut before| before.take());
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        let _ = io::stdout().write_all(LEAVE.as_bytes());
        let _ = io::stdout().flush();
    }
}

fn keys() -> UnboundedReceiver<u8> {
    let (sender, receiver) = unbounded_channel();
    // Nobody waits for it in the end.
    tokio::task::spawn_blocking(move || {
        let mut key = [0];
        while let Ok(1) = io::stdin().lock().read(&mut key) {
            if sender.send(key[0]).is_err() {
                return;
            }
        }
    });
    receiver
}
