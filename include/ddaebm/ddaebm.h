/** @file ddaebm.h
 *  Everything: include this. */
#ifndef DDAEBM_H
#define DDAEBM_H

#include <ddaebm/array.h>
#include <ddaebm/config.h>
#include <ddaebm/context.h>
#include <ddaebm/dataset.h>
#include <ddaebm/model.h>
#include <ddaebm/normaliser.h>
#include <ddaebm/row_writer.h>
#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/status.h>
#include <ddaebm/stream.h>
#include <ddaebm/trainer.h>
#include <ddaebm/version.h>

#endif
