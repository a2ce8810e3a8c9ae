//! A small pool of connections: lends each to one caller at a time, opens new ones up to a limit, then lets callers wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Result;

pub(crate) struct Pool<T> {
    state: Mutex<State<T>>,
    freed: Condvar,
    limit: usize,
}

struct State<T> {
    idle: Vec<T>,
    /// Idle and lent ones together.
    open: usize,
}

/// A place in the pool; when dropped it goes back, with its connection if it has one.
struct Place<'a, T> {
    pool: &'a Pool<T>,
    connection: Option<T>,
}

impl<T> Pool<T> {
    pub(crate) fn new(limit: usize) -> Pool<T> {
        let state = Mutex::new(State { idle: Vec::new(), open: 0 });
        Pool { state, freed: Condvar::new(), limit }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> Place<'_, T> {
        let mut state = self.state();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Place { pool: self, connection: Some(connection) };
            }
            if state.open < self.limit {
                state.open += 1;
                return Place { pool: self, connection: None };
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lends a connection to `body`. `ready` turns an idle one, or none, into one that works; one that is not `sound`
    /// afterwards is closed.
    pub(crate) fn with<R>(
        &self,
        ready: impl FnOnce(Option<T>) -> Result<T>,
        sound: impl FnOnce(&T) -> bool,
        body: impl FnOnce(&mut T) -> Result<R>,
    ) -> Result<R> {
        let mut place = self.place();
        let mut connection = ready(place.connection.take())?;
        let result = body(&mut connection);
        if sound(&connection) {
            place.connection = Some(connection);
        }
        result
    }

    /// Takes all idle connections out.
    pub(crate) fn drain(&self) -> Vec<T> {
        let mut state = self.state();
        state.open -= state.idle.len();
        std::mem::take(&mut state.idle)
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        match self.connection.take() {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        drop(state);
        self.pool.freed.notify_one();
    }
}
