//! The hidden fields of a record: a commitment for each path, and the values that this image knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_log::Hash;
use serde_json::Value;

/// Hidden fields in the order of their paths. A thousand sheets have the same paths, and two copies of a state the same
/// sheets: all of them share what is equal, so that an edition of many sheets stays small in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenFields {
    paths: Arc<[String]>,
    commitments: Arc<[Hash]>,
    values: Arc<[Option<Value>]>,
}

impl HiddenFields {
    /// Fields of which no value is known yet.
    pub(super) fn new(paths: Arc<[String]>, commitments: &BTreeMap<String, Hash>) -> HiddenFields {
        HiddenFields {
            values: paths.iter().map(|_| None).collect(),
            commitments: commitments.values().copied().collect(),
            paths,
        }
    }

    fn index(&self, path: &str) -> Option<usize> {
        self.paths.binary_search_by(|known| known.as_str().cmp(path)).ok()
    }

    /// Number of fields.
    pub fn count(&self) -> usize {
        self.paths.len()
    }

    /// Their paths.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.paths.iter()
    }

    /// The commitment at a path.
    pub fn commitment(&self, path: &str) -> Option<&Hash> {
        self.commitments.get(self.index(path)?)
    }

    /// The value at a path, if it is known.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.values.get(self.index(path)?)?.as_ref()
    }

    /// Whether any value is known.
    pub fn is_known(&self) -> bool {
        self.values.iter().any(Option::is_some)
    }

    /// Learns values that fit the commitments.
    pub(super) fn learn(&mut self, known: impl IntoIterator<Item = (String, Value)>) {
        let paths = Arc::clone(&self.paths);
        let values = Arc::make_mut(&mut self.values);
        for (path, value) in known {
            let place = paths.binary_search(&path).ok().and_then(|index| values.get_mut(index));
            if let Some(place) = place {
                *place = Some(value);
            }
        }
    }

    /// Forgets all values: they were destroyed.
    pub(super) fn forget(&mut self) {
        self.values = self.paths.iter().map(|_| None).collect();
    }
}
