//! stub

pub mod assets;
pub mod ui;
