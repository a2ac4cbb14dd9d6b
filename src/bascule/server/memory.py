"""The garbage collector of a process that serves."""

import gc


def settle_garbage_collector() -> None:
    """Call once, when start-up is done: everything that is there now is there to stay, so look at it no more.

    Requests leave almost nothing to the cycle collector (values are freed by their reference counts), yet by default
    it runs every 700 allocations, several times a request, and from time to time over the whole configuration and
    price book. Frozen and looked for in larger batches, cycles cost a fraction; at most some 50,000 young objects,
    a few MB, wait for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
