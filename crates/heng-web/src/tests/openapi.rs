//! The checked-in description is that of the code, and speaks of every route.

use std::collections::BTreeSet;

use crate::api;
use crate::routes::{Who, table};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_description_in_docs_is_that_of_the_code() {
    let written = serde_json::to_string_pretty(&api::openapi::description()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &written).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == written,
        "docs/openapi.json is old: run UPDATE=1 cargo test -p heng-web openapi, and look at the change"
    );
}

#[test]
fn every_route_of_the_interface_is_described_with_its_door() {
    let described: BTreeSet<(String, String, bool)> = {
        let value = serde_json::to_value(api::openapi::description()).unwrap();
        let paths = value["paths"].as_object().unwrap();
        let methods = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                (path.clone(), method.to_uppercase(), operation.get("security").is_some())
            })
        });
        methods.collect()
    };
    let lines = table().into_iter().filter(|line| line.path.starts_with(api::ROOT) && !line.path.ends_with(".json"));
    let built: BTreeSet<(String, String, bool)> = lines
        .flat_map(|line| {
            let token = matches!(line.who, Who::Token | Who::TokenSeat);
            line.methods.iter().map(|method| (line.path.to_owned(), (*method).to_owned(), token)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(described, built);
}
