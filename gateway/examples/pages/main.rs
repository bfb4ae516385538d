//! Writes every page, in every language and with awkward contents, as static files into a folder, to be looked at.
//!
//! `cargo run -p fedgate --example pages -- FOLDER`, then serve the folder at the root of any local web server.

#![allow(clippy::expect_used, reason = "a sample names what the build holds")]

mod samples;

use std::path::Path;
use std::{env, fs, io, process};

const ASSETS: [(&str, &str); 4] = [
    ("fedgate.css", include_str!("../../assets/fedgate.css")),
    ("fedgate.js", include_str!("../../assets/fedgate.js")),
    ("icons.svg", include_str!("../../assets/icons.svg")),
    ("logo.svg", include_str!("../../assets/logo.svg")),
];

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        println!("usage: pages FOLDER");
        process::exit(2);
    };
    write(Path::new(&folder))
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("assets"))?;
    for (name, text) in ASSETS {
        fs::write(folder.join("assets").join(name), text)?;
    }
    for (name, html) in samples::pages() {
        fs::write(folder.join(format!("{name}.html")), html)?;
    }
    fs::write(folder.join("explanation.txt"), samples::text())
}
