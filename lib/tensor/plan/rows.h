/* Finds out whether a plan's last phase may be run for some of its rows alone. */
#ifndef DD_ROWS_H
#define DD_ROWS_H

#include "tensor/plan/program.h"

/* Sets plan->rows. */
void dd_rows_find(dd_plan *plan);

#endif
