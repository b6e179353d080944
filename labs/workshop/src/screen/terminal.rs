//! The terminal while the screen is open: raw, on its second page, and given back whatever happens.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{self, ClearType};
use crossterm::{cursor, execute, queue, style::Print};

use super::draw::draw;
use super::state::State;
use crate::failure::{Result, could_not};

pub struct Terminal {
    shown: Vec<String>,
    size: (u16, u16),
    killed: Arc<AtomicBool>,
    colours: bool,
}

impl Terminal {
    pub fn enter() -> Result<Self> {
        let killed = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in
            [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT]
        {
            // Without it a kill would leave the screen raw and the broker running.
            let _ = signal_hook::flag::register(signal, Arc::clone(&killed));
        }
        let colours = std::env::var_os("NO_COLOR").is_none();
        match take() {
            Ok(()) => Ok(Self { shown: Vec::new(), size: (0, 0), killed, colours }),
            Err(why) => could_not(format!(
                "This terminal cannot show the workshop: {why}. Try: cargo workshop status"
            )),
        }
    }

    pub fn killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Gives the terminal back for something that asks and prints, and takes it again.
    pub fn aside(&mut self, act: impl FnOnce()) -> Result<()> {
        give_back();
        act();
        self.shown.clear();
        self.size = (0, 0);
        match take() {
            Ok(()) => Ok(()),
            Err(why) => could_not(format!("The terminal went away: {why}.")),
        }
    }

    /// Draws what differs from what stands there; returns the columns there are.
    pub fn show(&mut self, state: &State) -> Result<usize> {
        let size = terminal::size().unwrap_or((80, 24));
        let (width, height) = (usize::from(size.0), usize::from(size.1));
        let paint = |line: &crate::paint::Line| {
            if self.colours {
                line.painted(width)
            } else {
                line.text().chars().take(width).collect()
            }
        };
        let lines: Vec<String> = draw(state, width, height).iter().map(paint).collect();
        let mut out = stdout().lock();
        let written = (|| {
            if size != self.size {
                queue!(out, terminal::Clear(ClearType::All))?;
                self.shown.clear();
                self.size = size;
            }
            for (row, line) in lines.iter().enumerate() {
                if self.shown.get(row) == Some(line) {
                    continue;
                }
                let row = u16::try_from(row).unwrap_or(u16::MAX);
                queue!(
                    out,
                    cursor::MoveTo(0, row),
                    terminal::Clear(ClearType::CurrentLine),
                    Print(line)
                )?;
            }
            out.flush()
        })();
        self.shown = lines;
        match written {
            Ok(()) => Ok(width),
            Err(why) => could_not(format!("The terminal went away: {why}.")),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> std::io::Result<()> {
    terminal::enable_raw_mode()?;
    execute!(stdout(), terminal::EnterAlternateScreen, cursor::Hide)
}

fn give_back() {
    let _ = execute!(stdout(), cursor::Show, terminal::LeaveAlternateScreen);
    let _ = terminal::disable_raw_mode();
}
