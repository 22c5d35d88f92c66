/* The columns that lower a row's score most (ddaebm_scorer_explain). */
#ifndef DD_EXPLAIN_H
#define DD_EXPLAIN_H

#include "sample/scorer.h"

void dd_explainer_free(dd_explainer *explainer, ddaebm_context *context);

#endif
