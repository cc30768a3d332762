//! The daily record: signed heads of the audit chain in one file a day, outside the database, so
//! that whoever can cut the one has not yet cut the other. Lines are only ever added.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::audit::check::Claim;
use crate::app::audit::head::SealedHead;

/// Bytes of one file of the daily record that are read: a head an hour is some 20 KiB a day.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A line. Only `sealed` is believed; the rest is for people.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: String,
    epoch: u32,
    number: u64,
    digest: String,
    sealed: String,
}

/// Adds a head to the file of its day (UTC), and waits until it is on the disk.
pub fn append(folder: &Path, head: &SealedHead) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let at = head.head.at.to_string();
    let day = at.split('T').next().unwrap_or_default();
    let path = folder.join(format!("{day}.jsonl"));
    let line = Line {
        epoch: head.head.epoch,
        number: head.head.number,
        digest: head.head.digest.to_string(),
        sealed: hex::encode(&head.sealed),
        at,
    };
    let mut text = serde_json::to_string(&line)?;
    text.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Every head of every file, oldest file first; none when there is no folder. A line that a power
/// cut left unfinished at the end of a file is left out; any other that is no line of ours is an
/// error that names it.
pub fn read(folder: &Path) -> io::Result<Vec<Claim>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    paths.sort();
    let mut claims = Vec::new();
    for path in paths {
        let bad = |line: usize, why: &str| {
            let text = format!("{}:{line}: {why}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        if fs::metadata(&path)?.len() > FILE_BYTES_MAX {
            return Err(bad(1, "larger than 16 MiB"));
        }
        let text = fs::read_to_string(&path)?;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let sealed = serde_json::from_str::<Line>(line)
                .ok()
                .and_then(|line| hex::decode(line.sealed).ok());
            match sealed {
                Some(sealed) => claims
                    .push(Claim { source: format!("{}:{}", path.display(), index + 1), sealed }),
                None if !line.ends_with('\n') => {}
                None => return Err(bad(index + 1, "not a line of the daily record")),
            }
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocols::audit::AuditHead;
    use protocols::digest::Digest;

    use super::*;

    fn head(number: u64, at: &str) -> SealedHead {
        let at: Timestamp = at.parse().expect("an instant");
        let authority = "350200000000".parse().expect("a code");
        let head = AuditHead { authority, epoch: 1, number, digest: Digest([7; 32]), at };
        SealedHead { head, sealed: vec![number as u8; 3] }
    }

    #[test]
    fn heads_come_back_in_their_order_and_a_line_cut_by_the_plug_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("deep");
        assert_eq!(read(&folder).expect("nothing yet"), Vec::new());
        for (number, at) in
            [(1, "2026-11-22T23:59:00Z"), (2, "2026-11-23T00:00:00Z"), (3, "2026-11-23T01:00:00Z")]
        {
            append(&folder, &head(number, at)).expect("written");
        }
        let sealed = |folder: &Path| {
            read(folder).map(|claims| claims.into_iter().map(|it| it.sealed[0]).collect::<Vec<_>>())
        };
        assert_eq!(sealed(&folder).expect("read"), [1, 2, 3]);
        let last = folder.join("2026-11-23.jsonl");
        let text = fs::read_to_string(&last).expect("text");
        fs::write(&last, format!("{text}{{\"at\":\"2026")).expect("cut");
        assert_eq!(sealed(&folder).expect("read"), [1, 2, 3]);
        fs::write(&last, format!("nonsense\n{text}")).expect("damaged");
        assert!(sealed(&folder).expect_err("named").to_string().contains("2026-11-23.jsonl:1"));
    }
}
