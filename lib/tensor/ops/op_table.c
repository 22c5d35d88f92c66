/* The table of all operations; each is defined in the file of its family. */
#include "tensor/graph/node.h"

static const dd_op_info *const table[DD_OP_COUNT] = {
#define ENTRY(ENUMERATOR, name) [DD_OP_##ENUMERATOR] = &dd_op_##name,
    DD_OPERATIONS(ENTRY)
#undef ENTRY
};

const dd_op_info *dd_op_describe(dd_op op) {
    return table[op];
}
