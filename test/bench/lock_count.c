/* Preloaded into a program, counts the locks that sleep; lock_count() tells. */
#include "../unit/lock_count.h"
