//! A log that grows, and what was found in it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A file that grows, and the JSON lines that were found in it by their request's id.
pub(crate) struct Tail {
    path: PathBuf,
    offset: u64,
    found: HashMap<String, Value>,
}

impl Tail {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, found: HashMap::new() }
    }

    /// The line of a request, once it is there.
    pub(crate) fn wait(&mut self, id: &str) -> Option<Value> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            self.read();
            if let Some(found) = self.found.remove(id) {
                return Some(found);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn read(&mut self) {
        let Ok(mut file) = File::open(&self.path) else { return };
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) && line.ends_with(b"\n")
        {
            self.offset += line.len() as u64;
            let start = line.iter().position(|byte| *byte == b'{').unwrap_or(line.len());
            if let Ok(value) = serde_json::from_slice::<Value>(&line[start..])
                && let Some(id) = value.get("request_id").and_then(Value::as_str)
            {
                self.found.insert(id.to_owned(), value.clone());
            }
            line.clear();
        }
    }
}
