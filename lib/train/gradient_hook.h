/* The hook between gradients and update. */
#ifndef DD_GRADIENT_HOOK_H
#define DD_GRADIENT_HOOK_H

#include <ddaebm/trainer.h>

typedef struct dd_gradient_hook {
    ddaebm_gradient_hook function; /* NULL for none */
    void *user;
} dd_gradient_hook;

/* Calls the hook, if there is one, with the gradients of a network. */
ddaebm_status dd_gradient_hook_call(ddaebm_trainer *trainer, ddaebm_network network);

#endif
