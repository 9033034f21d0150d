"""A whole gate on real data: LIDC-IDRI nodules, a small network, and a defective candidate beside a sound one."""
