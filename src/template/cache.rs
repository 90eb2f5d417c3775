//! Compiled expressions, kept for the whole process. The texts of a CMDB differ, their expressions hardly do.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::error::Problem;
use super::expression::Compiled;

/// How many expressions are kept. When one more comes, all are forgotten. A client that keeps sending new expressions
/// costs the others compilations, but no memory.
const MAX_EXPRESSIONS: usize = 1_024;

/// A longer expression, which only a setting above the default allows, is compiled each time.
const MAX_KEPT_BYTES: usize = 1_024;

static EXPRESSIONS: LazyLock<RwLock<HashMap<Box<str>, Arc<Compiled>>>> = LazyLock::new(RwLock::default);

/// The compiled form of `source`, from the cache where it has it.
pub(super) fn compiled(source: &str) -> Result<Arc<Compiled>, Problem> {
    // A poisoned lock still guards a whole map: nothing that can panic runs while it is written.
    if let Some(known) = EXPRESSIONS.read().unwrap_or_else(PoisonError::into_inner).get(source) {
        return Ok(Arc::clone(known));
    }
    let fresh = Arc::new(Compiled::new(source)?);
    if source.len() <= MAX_KEPT_BYTES {
        let mut kept = EXPRESSIONS.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_EXPRESSIONS {
            kept.clear();
        }
        kept.insert(source.into(), Arc::clone(&fresh));
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_hands_out_one_compilation_and_never_grows_beyond_its_bound() {
        let first = compiled("input.a|upper").unwrap();
        assert!(Arc::ptr_eq(&first, &compiled("input.a|upper").unwrap()));
        for index in 0..3 * MAX_EXPRESSIONS {
            compiled(&format!("input.a{index}|upper")).unwrap();
            assert!(EXPRESSIONS.read().unwrap().len() <= MAX_EXPRESSIONS);
        }
    }
}
