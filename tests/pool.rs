//! The pool: what waits for what, and what is refused.

use std::sync::mpsc::channel;
use std::time::Duration;

use mortise::app::{AppError, Pool, PoolLimits, Size};
use tokio::task::yield_now;

fn limits(patience: Duration) -> PoolLimits {
    PoolLimits { medium: 1, large: 1, reads: 1, waiting: 1, large_waiting: 1, patience }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn large_work_takes_no_place_from_smaller_and_too_much_of_it_is_refused() {
    let pool = Pool::new(limits(LONG));
    let (release, released) = channel::<()>();
    let (begun, has_begun) = channel::<()>();
    let first = pool.run(Size::Large, move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
        "first"
    });
    let second = pool.run(Size::Large, || "second");
    let others = async {
        while has_begun.try_recv().is_err() {
            yield_now().await;
        }
        // The second has come and waits; there is no room for a third.
        yield_now().await;
        let third = pool.run(Size::Large, || "third").await;
        assert!(matches!(third, Err(AppError::Overloaded(_))), "{third:?}");
        assert_eq!(pool.run(Size::Small, || "small").await.unwrap(), "small");
        assert_eq!(pool.run(Size::Medium, || "medium").await.unwrap(), "medium");
        release.send(()).unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, others);
    assert_eq!((first.unwrap(), second.unwrap()), ("first", "second"));
    assert_eq!(pool.run(Size::Large, || "last").await.unwrap(), "last", "the places are free again");
}

#[tokio::test]
async fn whoever_waits_too_long_is_told_and_the_end_of_what_was_begun_waits_on() {
    let pool = Pool::new(limits(Duration::ZERO));
    let (release, released) = channel::<()>();
    let (begun, has_begun) = channel::<()>();
    let first = pool.run(Size::Medium, move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
    });
    let end = async {
        while has_begun.try_recv().is_err() {
            yield_now().await;
        }
        let impatient = pool.run(Size::Medium, || ()).await;
        assert!(matches!(impatient, Err(AppError::Overloaded(_))), "{impatient:?}");
        let end = pool.finish(Size::Medium, || "end");
        let release = async { release.send(()).unwrap() };
        tokio::join!(end, release).0.unwrap()
    };
    let (first, end) = tokio::join!(first, end);
    first.unwrap();
    assert_eq!(end, "end");
}

#[test]
fn work_that_may_grow_is_tried_small_first() {
    assert_eq!([0, 40_000, 2 << 20].map(Size::of_bytes), [Size::Small, Size::Medium, Size::Large]);
    let most = 20_000_000;
    let tried = [Size::Small, Size::Medium, Size::Large].map(|size| size.comparisons(most));
    assert!(tried[0] < tried[1] && tried[1] < tried[2] && tried[2] == most);
    assert_eq!(Size::Large.comparisons(7), Size::Small.comparisons(7));
    assert_eq!(
        [Size::Small, Size::Medium, Size::Large].map(Size::greater),
        [Some(Size::Medium), Some(Size::Large), None]
    );
}
