//! What others send us.

pub(crate) mod assemble;
pub(crate) mod people;
pub(crate) mod reorder;
