//! A throw-away PostgreSQL cluster for the tests, on loopback, in a folder that goes away with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A running cluster.
pub(crate) struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    url: String,
}

fn shell(script: &str) -> Result<String> {
    let output = Command::new("sh").args(["-c", script]).output().context("cannot run sh")?;
    if !output.status.success() {
        bail!("{script}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// PostgreSQL refuses to run as root: then the account that Debian made for it runs it.
fn as_postgres(command: &str) -> Result<String> {
    if shell("id -u")? == "0" { shell(&format!("su postgres -s /bin/sh -c \"{command}\"")) } else { shell(command) }
}

fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

impl Cluster {
    /// Starts a cluster; installs PostgreSQL from Debian if it is missing.
    pub(crate) fn start() -> Result<Cluster> {
        if binaries().is_none() {
            shell(
                "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql",
            )?;
        }
        let bin = binaries().context("PostgreSQL is not installed")?;
        let folder = PathBuf::from(as_postgres("mktemp -d /tmp/heng-postgres.XXXXXX")?);
        // A free port: the kernel gives one, PostgreSQL takes it a moment later.
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).context("no free port")?.port();
        let cluster = Cluster { url: format!("host=127.0.0.1 port={port} user=postgres dbname=postgres"), folder, bin };
        let data = cluster.data();
        as_postgres(&format!(
            "{}/initdb -D {data} -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null",
            cluster.bin.display()
        ))?;
        as_postgres(&format!(
            "{}/pg_ctl -D {data} -w -l {data}.log -o '-h 127.0.0.1 -p {port} -k {}' start >/dev/null",
            cluster.bin.display(),
            cluster.folder.display()
        ))?;
        println!("\nPostgreSQL runs at 127.0.0.1:{port}");
        Ok(cluster)
    }

    fn data(&self) -> String {
        Path::new(&self.folder).join("data").display().to_string()
    }

    /// Address for the tests.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop =
            as_postgres(&format!("{}/pg_ctl -D {} -m immediate stop >/dev/null", self.bin.display(), self.data()));
        if let Err(error) = stop.and_then(|_| shell(&format!("rm -rf {}", self.folder.display()))) {
            eprintln!("the test cluster could not be removed: {error:#}");
        }
    }
}
