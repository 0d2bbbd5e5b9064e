//! PostgreSQL's programs on this machine.

use super::Error;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest version that will do.
const OLDEST: u32 = 15;

/// `initdb` and `postgres` of one version.
#[derive(Debug, Clone)]
pub struct Programs {
    pub initdb: PathBuf,
    pub postgres: PathBuf,
    pub version: u32,
}

impl Programs {
    /// The newest programs, or those of the version that made the data: PostgreSQL reads no other version's files.
    pub fn find(setting: Option<&Path>, made_by: Option<u32>) -> Result<Self, Error> {
        let folders = setting.map_or_else(usual_folders, |folder| vec![folder.to_owned()]);
        folders
            .iter()
            .filter_map(|folder| Self::in_folder(folder))
            .filter(|found| made_by.map_or(found.version >= OLDEST, |version| found.version == version))
            .max_by_key(|found| found.version)
            .ok_or_else(|| Error::NoPrograms {
                wanted: made_by.map_or(format!("{OLDEST} or newer"), |v| format!("{v} (which made the data)")),
                looked: folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "),
            })
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        let (initdb, postgres) = (folder.join("initdb"), folder.join("postgres"));
        if !initdb.is_file() || !postgres.is_file() {
            return None;
        }
        let output = Command::new(&postgres).arg("--version").output().ok()?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { initdb, postgres, version })
    }
}

/// Debian's and Red Hat's folders, then PATH.
fn usual_folders() -> Vec<PathBuf> {
    let below = |parent: &str, inside: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join(inside)).filter(|path| path.is_dir()).collect()
    };
    let mut folders = below("/usr/lib/postgresql", "bin");
    folders.extend(below("/usr", "bin").into_iter().filter(|path| path.to_string_lossy().contains("/pgsql-")));
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`
fn parse_version(line: &str) -> Option<u32> {
    let number = line.split_once("(PostgreSQL) ")?.1;
    number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_released_and_coming_ones() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn missing_programs_are_told_with_the_remedy() {
        let empty = tempfile::tempdir().unwrap();
        let told = Programs::find(Some(empty.path()), None).unwrap_err().to_string();
        for words in ["15 or newer", "WEBMETEOR_POSTGRES_BIN", "WEBMETEOR_DATABASE_URL", "apt install"] {
            assert!(told.contains(words), "{told}");
        }
    }
}
