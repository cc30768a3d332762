//! What the machine says about itself: free disk, battery, mains, whether its clock is right.

use std::fs;
use std::path::Path;

use super::config::ClockTrust;

/// Set by systemd-timesyncd when the clock is synchronised.
const TIMESYNC_FLAG: &str = "/run/systemd/timesync/synchronized";

/// Free bytes on the disk of `folder`, for a program without privileges.
pub fn disk_free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

/// Whether this program may write `path`, tried without writing.
pub fn may_write(path: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

/// Battery in percent, and whether mains power is there; each where it is measured.
pub fn power(supplies: &Path) -> (Option<u8>, Option<bool>) {
    let (mut battery, mut mains) = (None, None);
    let Ok(entries) = fs::read_dir(supplies) else { return (None, None) };
    for supply in entries.flatten() {
        let read = |name: &str| fs::read_to_string(supply.path().join(name)).ok();
        match read("type").as_deref().map(str::trim) {
            Some("Battery") => battery = read("capacity").and_then(|c| c.trim().parse().ok()),
            Some("Mains") => mains = read("online").map(|online| online.trim() == "1"),
            Some(_) | None => {}
        }
    }
    (battery, mains)
}

/// Whether the system clock is to be believed at start.
pub fn is_clock_trusted(trust: ClockTrust) -> bool {
    match trust {
        ClockTrust::Always => true,
        ClockTrust::Never => false,
        ClockTrust::Auto => Path::new(TIMESYNC_FLAG).exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn battery_and_mains_are_read_where_they_are() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(power(dir.path()), (None, None));
        for (name, kind, file, value) in
            [("BAT0", "Battery", "capacity", "83\n"), ("AC", "Mains", "online", "0\n")]
        {
            let supply = dir.path().join(name);
            fs::create_dir(&supply).expect("creates");
            fs::write(supply.join("type"), format!("{kind}\n")).expect("writes");
            fs::write(supply.join(file), value).expect("writes");
        }
        assert_eq!(power(dir.path()), (Some(83), Some(false)));
    }

    #[test]
    fn a_disk_has_a_size() {
        assert!(disk_free_bytes(Path::new("/")).is_some());
        assert_eq!(disk_free_bytes(Path::new("/no/such/folder")), None);
    }
}
