#include "base/fault.h"

/* Questions left before one is answered true; negative: the counter is off or was reached. */
static _Thread_local long left = -1;

void fault_set(long nth) {
    left = nth;
}

void fault_off(void) {
    left = -1;
}

bool fault_unused(void) {
    return left >= 0;
}

bool fault_now(void) {
    if (__builtin_expect(left < 0, 1)) return false;
    return left-- == 0;
}
